"""Typed keys under which the aiohttp application keeps its parts."""

from aiohttp import web

from .whatsapp import WhatsApp

WHATSAPP = web.AppKey("whatsapp", WhatsApp)
"""The simulated WhatsApp that all handlers work on."""
