"""The microservice chassis of Blazz: what every service shares and none owns."""
