"""Licences as SPDX expressions, and what they allow: for base models and for data."""
