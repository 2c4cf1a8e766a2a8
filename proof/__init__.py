"""Evidence: type-test report and fault campaign, gathered from simulated worlds by the control API. Must not know the firmware inside."""
