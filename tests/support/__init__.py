"""What tests share: servers, people who use them, sockets that listen."""
