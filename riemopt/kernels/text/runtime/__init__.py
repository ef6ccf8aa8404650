"""The runtime of kernels: functions that their text calls, plain Python read from its source."""
