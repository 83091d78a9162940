"""What Switchboard knows about its world: types, rules and ports, in plain Python."""
