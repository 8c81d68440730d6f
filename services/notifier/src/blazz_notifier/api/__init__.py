"""HTTP in: Pusher's HTTP API, for servers that hold the application's secret."""
