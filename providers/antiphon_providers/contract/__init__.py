"""The contract suites: what every provider of a kind must keep to, as tests for pytest.

One class for each stage. Without writing any code, for a provider that is installed
(``plugin`` has the options)::

    pytest --pyargs antiphon_providers.contract --antiphon-provider language_model:llama

or in a test module of your own, where a test may also start what the provider talks to::

    from antiphon_providers.contract.language_model import LanguageModelContract

    class TestLlama(LanguageModelContract):
        def make(self) -> Llama:
            return Llama(LlamaOptions(model="llama3.2"))

They need pytest and pytest-asyncio (``antiphon[testing]``), in either of its modes; those that
hear also need a recording that comes with ``antiphon[local]``. Nothing else in this package
imports pytest.
"""
