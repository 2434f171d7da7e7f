"""The audit: session rules of OWASP ASVS 5.0.0, the OWASP Session Management Cheat Sheet, NIST SP 800-63B-4 and
OpenTelemetry as numbered checks of a running app, by HTTP. It knows nothing of polysession.
"""
