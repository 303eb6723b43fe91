"""What faces the network: routes, transport, admission."""
