"""Campaigns, recipients, scheduling and reports."""
