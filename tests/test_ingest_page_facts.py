"""What pages say about themselves, and facts outside running text: five kinds of page with made-up facts."""
