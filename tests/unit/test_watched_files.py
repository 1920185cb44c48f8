"""The files of the user's functions, and whether they have changed."""

import os
from pathlib import Path

import pytest

from entrypoints.up.watched_files import WatchedFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of functions, a package, and files that are not the user's."""
    for name in ("functions.py", "package/__init__.py", "package/deep/module.py", ".venv/a.py", "__pycache__/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def watched(folder: Path, *tasks: str) -> WatchedFiles:
    return WatchedFiles(tasks or ("functions.py",), folder)


def is_reported(files: WatchedFiles) -> list[bool]:
    return [files.have_changed() for _ in range(3)]


def test_files_that_stay_are_not_reported(folder: Path):
    assert is_reported(watched(folder)) == [False, False, False]


@pytest.mark.parametrize("name", ["functions.py", "package/__init__.py", "package/deep/module.py", "new.py"])
def test_a_change_is_reported_once_by_the_first_look_after_it_that_sees_no_other(folder: Path, name: str):
    files = watched(folder)
    (folder / name).write_text("changed")
    assert is_reported(files) == [False, True, False]


@pytest.mark.parametrize("name", ["notes.txt", ".venv/a.py", "__pycache__/a.py", "package/.hidden/a.py"])
def test_a_file_that_is_no_function_of_the_user_is_not_watched(folder: Path, name: str):
    files = watched(folder)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("changed")
    assert is_reported(files) == [False, False, False]


def test_a_removed_or_renamed_file_is_a_change(folder: Path):
    files = watched(folder)
    (folder / "package/deep/module.py").unlink()
    assert is_reported(files) == [False, True, False]
    (folder / "functions.py").rename(folder / "renamed.py")
    assert is_reported(files) == [False, True, False]


def test_a_file_that_is_saved_in_the_same_size_is_a_change(folder: Path):
    files = watched(folder)
    os.utime(folder / "functions.py", (1, 1))
    assert is_reported(files) == [False, True, False]


def test_a_change_that_is_taken_back_meanwhile_is_none(folder: Path):
    files = watched(folder)
    (folder / "new.py").write_text("")
    assert not files.have_changed()
    (folder / "new.py").unlink()
    assert is_reported(files) == [False, False, False]


@pytest.mark.parametrize("task", ["package", "package.deep", "package.deep.module", "package/deep/module.py"])
def test_modules_are_watched_in_their_package(folder: Path, task: str):
    files = watched(folder, task)
    (folder / "package/deep/module.py").write_text("changed")
    assert is_reported(files) == [False, True, False]


def test_a_folder_that_is_missing_has_no_files(folder: Path):
    assert is_reported(watched(folder, "nowhere/functions.py", "nowhere.functions")) == [False, False, False]
