"""Personal data, secrets, and what was promised never to be trained on."""
