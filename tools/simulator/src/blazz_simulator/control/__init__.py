"""The control API under `/_sim`: what tests and people use to steer and to look."""
