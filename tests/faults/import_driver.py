"""Imports a file until it is killed, or until the import has ended.

python import_driver.py DIRECTORY FILE
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from user360 import ids
from user360.imports import jobs
from user360.imports.options import Options
from user360.jobs import runner
from user360.observe import logs
from user360.platform import Platform
from user360.settings import Settings


def main() -> None:
    directory, file = sys.argv[1:]
    logs.configure("error")
    runner.MOST_DEATHS = 100  # killed oftener at one place than a server would put up with
    with Platform.open(directory, Settings()) as platform:
        jobs.register(platform)
        found = platform.jobs.listed(platform.default.id)
        if not found:
            job_id = ids.new_id()
            shutil.copy(file, jobs.upload_path(platform, job_id))
            wanted = Options(user_id="userId")
            found = [jobs.ask(platform, platform.default, "test", job_id, Path(file).name, wanted)]
        sys.stdout.write("importing\n")
        sys.stdout.flush()
        platform.jobs.wait(found[0].id)


if __name__ == "__main__":
    main()
