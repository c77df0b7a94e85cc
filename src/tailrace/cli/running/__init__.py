"""What `tailrace run` shows and hears while the engine works: news, views, signals, reloads."""
