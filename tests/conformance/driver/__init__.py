"""A judge of charge points: it speaks OCPP over a real WebSocket and the simulator's contract, and knows nothing of the station it judges.

`lab.Lab` is what a case gets: `lab.csms` (the test CSMS), `lab.charger` (a person at the charger and the world around it), the reusable states in
`states` (2.x) and `states16`. How to write a case: tests/conformance/README.md.
"""
