"""Messages between processes: framing, encoding, handshake, connections and sessions. It knows no state machine."""
