"""The microservice chassis of Blazz: what every service shares and none owns.

One noun a module; a service's composition root builds one `app.Service` and takes what it needs from there.
See docs/chassis.md.
"""
