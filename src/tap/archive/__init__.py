"""Many recorded shoots: found, replayed by many hands, remembered, asked.

An archive is one folder, `OUT`:

jobs.sqlite       one row for each shoot: what it was made from, by what, and what came of it
shoots/NAME/      what `tap replay` leaves of each shoot, whole or not at all
parquet/          the same records as tables, for whoever wants to ask all of them at once
work/             what is under way; gone when the work is done
"""

JOBS_FILE = "jobs.sqlite"
SHOOTS_FOLDER = "shoots"
PARQUET_FOLDER = "parquet"
WORK_FOLDER = "work"
