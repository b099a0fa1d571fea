"""An example board: people, two projects, and a day that is played on them. What is said there is in `content.json`."""
