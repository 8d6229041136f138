"""What can be configured and looked at: components and variables, each defined once. Plain Python."""
