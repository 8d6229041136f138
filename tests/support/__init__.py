"""What tests of more than one room share: a scriptable CSMS, the whole appliance, waiting for conditions."""
