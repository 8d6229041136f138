"""Settings of the tests: the appliance's own, on a data folder that goes away with them."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="station-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
for _name in [name for name in os.environ if name.startswith("STATION_") or name in ("REDIS_URL", "DATABASE_URL")]:
    del os.environ[_name]
os.environ["STATION_DATA"] = _folder

from station.project.settings import *  # noqa: E402, F403

# Quick instead of strong: what tests log in with is no secret.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
