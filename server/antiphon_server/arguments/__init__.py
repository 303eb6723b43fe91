"""Whether the arguments of a tool call fit the tool, and whether somebody said them."""
