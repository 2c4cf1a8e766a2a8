"""OCPP 2.x: one file per block, with the names of station/. Imported only when a 2.x subprotocol was agreed on."""
