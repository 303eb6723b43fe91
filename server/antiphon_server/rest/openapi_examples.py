"""Examples for the document of the REST API: what a client may send, what it may get."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from antiphon_protocol.rest import ErrorBody, ExpiringToken, Token, TokenRequest
from antiphon_protocol.rest_agents import AgentChange, AgentCreate
from antiphon_protocol.rest_console import KeyRequest
from antiphon_protocol.rest_operator import StageChange
from antiphon_protocol.rest_webhooks import WebhookSubscriptionChange, WebhookSubscriptionRequest

_TOOL = {
    "name": "order_status",
    "description": "Looks up where an order is, by its number.",
    "parameters": {
        "type": "object",
        "properties": {"number": {"type": "string", "pattern": "[0-9]{6}"}},
        "required": ["number"],
    },
    "timeout_seconds": 10,
    "http": {
        "url": "https://example.com/orders",
        "http_method": "GET",
        "headers": [{"name": "Authorization", "value": "Bearer secret"}],
    },
}

EXAMPLES: dict[type[Struct], Any] = {
    AgentCreate: {
        "name": "Order desk",
        "system_prompt": "You answer questions about orders, in one or two sentences.",
        "voice": {"voice_id": "anna"},
        "greeting": "Hello! Which order is it about?",
        "input": {"keyterms": ["Antiphon"], "transcription_mode": "balanced"},
        "output": {"volume": 80},
        "tools": [_TOOL],
        "llm": [
            {"base_url": "https://example.com/v1", "model": "large", "api_key": "secret"},
            {"base_url": "https://example.org/v1", "model": "small", "api_key": "secret"},
        ],
    },
    AgentChange: {"greeting": "Good day! Which order is it about?"},
    TokenRequest: {"expires_in_seconds": 60},
    Token: {"token": "opaque", "expires_in_seconds": 60},
    ExpiringToken: {"token": "opaque", "expires_at": "2026-01-02T03:04:05Z"},
    WebhookSubscriptionRequest: {
        "url": "https://example.com/hooks",
        "events": ["session.completed"],
        "secret": "at least thirty-two characters long",
    },
    KeyRequest: {"name": "The shop's page", "origins": ["https://shop.example.com"]},
    StageChange: {
        "providers": [
            {"name": "anthropic", "options": {"model": "large", "api_key": "secret"}},
            {"name": "openai", "options": {"base_url": "http://models/v1", "model": "small"}},
        ]
    },
    WebhookSubscriptionChange: {"enabled": False},
    ErrorBody: {
        "code": "validation_error",
        "message": "name: Field required",
        "param": "name",
        "request_id": "5f0c4e0b9d2f4b7f8f7f2f1f0a9b8c7d",
        "errors": [{"message": "Field required", "param": "name"}],
        "detail": [
            {"type": "missing", "loc": ["body", "name"], "msg": "Field required", "input": None}
        ],
    },
}
