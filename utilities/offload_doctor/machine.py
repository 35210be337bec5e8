# SPDX-License-Identifier: Apache-2.0

"""Where facts come from: files (sysfs, procfs) and the output of commands.

Everything that is read is remembered: nobody is asked twice, and a bug report
can have it all.  What was recorded can be looked at again, on another machine,
as DIR/commands.json and the files below a directory DIR.  Tests make such
directories up.

commands.json is an object: by command line, an array of answers in the order
in which they were given, each {"status", "stdout", "stderr"}, or {"error"} if
the command couldn't be run.  A command that isn't there isn't installed."""

import json
import os
import shlex
import subprocess
import time

COMMAND_SECONDS = 20
MAX_LINKS = 40
NO_PERMISSION = ("Permission denied", "Operation not permitted",
                 "permission denied", "must be root")


class Unknown(Exception):
    """Something can't be found out; says why."""


class CommandFailed(Unknown):
    """A command ran and said no.  'said' is all that it said."""

    def __init__(self, command, said):
        lines = said.split("\n")
        # ovs-appctl says last that somebody else said no, and first what.
        message = (lines[0] if lines[-1].endswith("returned an error")
                   else lines[-1])
        prefix = command + ": "
        super().__init__(message if message.startswith(prefix)
                         else prefix + message)
        self.said = said


def execute(argv):
    """An answer, as in commands.json."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
            timeout=COMMAND_SECONDS, check=False,
            env=dict(os.environ, LC_ALL="C"))
    except FileNotFoundError:
        return {"error": "not installed"}
    except subprocess.TimeoutExpired:
        return {"error": "no answer within %d seconds" % COMMAND_SECONDS}
    except (OSError, ValueError) as e:
        return {"error": str(e)}
    return {"status": done.returncode, "stdout": done.stdout,
            "stderr": done.stderr}


class Machine:
    """This one, or, with 'root', a recorded one."""

    def __init__(self, root=None):
        self.root = os.path.realpath(root) if root else "/"
        self.recorded = None
        if root:
            with open(os.path.join(root, "commands.json"),
                      encoding="utf-8") as f:
                self.recorded = json.load(f)
        self.answers = {}       # By command line, as in commands.json.
        self.files = {}         # By path, bytes.
        self.links = {}         # By path, where they lead to.
        self.directories = {}   # By path, names.

    # Files.

    def _below_root(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def real(self, path):
        """Where 'path' leads to in the end.  Links never leave the root."""
        done, todo, n_links = "/", path.split("/"), 0
        while todo:
            name = todo.pop(0)
            if name == "..":
                done = os.path.dirname(done)
            elif name not in ("", "."):
                here = os.path.join(done, name)
                try:
                    target = os.readlink(self._below_root(here))
                except OSError:
                    done = here
                    continue
                n_links += 1
                if n_links > MAX_LINKS:
                    raise Unknown("%s: too many links" % path)
                self.links[here] = target
                done = "/" if target.startswith("/") else done
                todo = target.split("/") + todo
        return done

    def read_bytes(self, path):
        """A file, None if there is none or the kernel has nothing to say."""
        path = self.real(path)
        if path not in self.files:
            try:
                with open(self._below_root(path), "rb") as f:
                    self.files[path] = f.read()
            except PermissionError as e:
                raise Unknown("%s: no permission" % path) from e
            except OSError:
                return None
        return self.files[path]

    def read(self, path):
        """A file's text without white space around it, or None."""
        data = self.read_bytes(path)
        return None if data is None else data.decode("utf-8",
                                                     "replace").strip()

    def read_number(self, path):
        """A file's number, or None."""
        text = self.read(path)
        try:
            return None if text is None else int(text, 0)
        except ValueError:
            return None

    def names(self, path):
        """What is in a directory, sorted."""
        path = self.real(path)
        if path not in self.directories:
            try:
                self.directories[path] = sorted(
                    os.listdir(self._below_root(path)))
            except PermissionError as e:
                raise Unknown("%s: no permission" % path) from e
            except OSError:
                return []
        return self.directories[path]

    def is_there(self, path):
        """Is there such a file or directory?"""
        parent, name = os.path.split(path)
        return name in self.names(parent)

    def link(self, path):
        """The last part of where a link leads to, or None."""
        return (os.path.basename(self.real(path)) if self.is_there(path)
                else None)

    # Commands.

    def _answer(self, argv, turn):
        line = shlex.join(argv)
        answers = self.answers.setdefault(line, [])
        while len(answers) <= turn:
            if self.recorded is None:
                answers.append(execute(argv))
                continue
            known = self.recorded.get(line) or [{"error": "not installed"}]
            answers.append(known[min(len(answers), len(known) - 1)])
        return answers[turn]

    def run(self, *argv, turn=0):
        """What a command prints, when asked for the 'turn'-th time.  Raises
        Unknown, CommandFailed if it is the command that says no."""
        answer = self._answer(argv, turn)
        if "error" in answer:
            raise Unknown("%s: %s" % (argv[0], answer["error"]))
        if answer["status"]:
            said = (answer["stderr"].strip() or answer["stdout"].strip()
                    or "exit status %s" % answer["status"])
            failure = CommandFailed(argv[0], said)
            if any(words in said for words in NO_PERMISSION):
                raise Unknown("no permission: %s" % failure)
            raise failure
        return answer["stdout"]

    def json(self, *argv, turn=0):
        """The same for a command that prints JSON."""
        text = self.run(*argv, turn=turn)
        try:
            return json.loads(text)
        except ValueError as e:
            raise Unknown("%s: its answer can't be understood: %s"
                          % (shlex.join(argv), e)) from e

    def pause(self, seconds):
        """Between two readings.  What was recorded doesn't wait."""
        if self.recorded is None:
            time.sleep(seconds)
