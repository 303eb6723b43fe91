"""Who serves each stage of a call, as settings or the operator choose."""
