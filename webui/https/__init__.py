"""How the web server proves itself on the network: a local CA of the station's own, or a certificate from outside."""
