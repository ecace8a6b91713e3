"""Compiled kernels: kept on disk, never stale, and no obstacle where nothing can be kept."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from kernels.tools import compiled

NEVER_STALE = """
    from kernels.outer import answer
    print(answer(3))
"""


@pytest.fixture
def house(tmp_path):
    """A copy of ``kernels.tools.compiled`` beside two made kernel modules, one of which uses the other."""
    folder = tmp_path / "site" / "kernels"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "tools").mkdir()
    (folder / "tools" / "__init__.py").write_text("")
    (folder / "tools" / "compiled.py").write_text(Path(compiled.__file__).read_text(encoding="utf-8"))
    (folder / "within.py").write_text(
        "from kernels.tools.compiled import inner\n\n@inner\ndef double(x):\n    return 2 * x\n"
    )
    (folder / "outer.py").write_text(
        "from kernels.tools.compiled import kernel\nfrom kernels.within import double\n\n"
        "@kernel\ndef answer(x):\n    return double(x) + 1\n"
    )
    return folder


def run(folder, text=NEVER_STALE, **environment):
    """What a fresh process prints that imports the made house."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    kept.update(PYTHONPATH=str(folder.parent), PYTHONDONTWRITEBYTECODE="1", **environment)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], env=kept, cwd=folder, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


HITS = """
    from kernels.outer import answer
    print(answer(3), sum(answer.stats.cache_hits.values()), sum(answer.stats.cache_misses.values()))
"""


def test_stored_machine_code_is_used_again(house, tmp_path):
    cache = str(tmp_path / "cache")
    assert run(house, HITS, NUMBA_CACHE_DIR=cache) == ["7", "0", "1"]
    assert run(house, HITS, NUMBA_CACHE_DIR=cache) == ["7", "1", "0"]


def test_an_edit_of_an_imported_kernel_module_leaves_no_stale_machine_code(house, tmp_path):
    cache = str(tmp_path / "cache")
    assert run(house, NUMBA_CACHE_DIR=cache) == ["7"]
    within = house / "within.py"
    time = within.stat().st_mtime_ns
    within.write_text(within.read_text().replace("2 * x", "5 * x"))  # of the same length,
    os.utime(within, ns=(time, time))  # and of the same time: only the text differs
    assert run(house, NUMBA_CACHE_DIR=cache) == ["16"]


def test_an_edit_of_a_constant_of_refimpl_leaves_no_stale_machine_code(house, tmp_path):
    cache, rules = str(tmp_path / "cache"), house.parent / "refimpl" / "rules.py"
    rules.parent.mkdir()
    (rules.parent / "__init__.py").write_text("")
    rules.write_text("ADDED = 1\n")
    outer = house / "outer.py"
    text = outer.read_text().replace("from kernels.within", "from refimpl.rules import ADDED\nfrom kernels.within")
    outer.write_text(text.replace("double(x) + 1", "double(x) + ADDED"))
    assert run(house, NUMBA_CACHE_DIR=cache) == ["7"]
    rules.write_text("ADDED = 5\n")
    assert run(house, NUMBA_CACHE_DIR=cache) == ["11"]


def test_an_edit_of_another_kernel_module_keeps_the_machine_code(house, tmp_path):
    cache = str(tmp_path / "cache")
    run(house, NUMBA_CACHE_DIR=cache)
    (house / "elsewhere.py").write_text("from kernels.tools.compiled import kernel\n")
    assert run(house, HITS, NUMBA_CACHE_DIR=cache) == ["7", "1", "0"]


def test_damaged_stored_code_is_compiled_anew(house, tmp_path):
    cache = tmp_path / "cache"
    run(house, NUMBA_CACHE_DIR=str(cache))
    stored = [path for path in cache.rglob("*") if path.suffix in (".nbi", ".nbc")]
    assert len(stored) == 2
    for damage in (b"", b"damaged", b"\x80\x04."):
        for path in stored:
            path.write_bytes(damage)
        assert run(house, NUMBA_CACHE_DIR=str(cache)) == ["7"]
    for path in stored:  # the index is sound again, the machine code is cut off
        if path.suffix == ".nbc":
            path.write_bytes(path.read_bytes()[:100])
    assert run(house, NUMBA_CACHE_DIR=str(cache)) == ["7"]


FULL_DISK = """
    import os
    from numba.core.caching import IndexDataCacheFile

    def full(*_):
        raise OSError(28, "No space left on device")

    IndexDataCacheFile.save = full
    from kernels.outer import answer
    print(answer(3))
"""


def test_a_full_disk_costs_the_cache_only(house, tmp_path):
    assert run(house, FULL_DISK, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == ["7"]


def test_where_nothing_can_be_written_kernels_compile_for_the_process_alone(house, tmp_path):
    """Neither beside the source nor in the user's cache folder: both places are files, which even root cannot enter."""
    (house / "__pycache__").write_text("")
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert run(house, HOME=str(blocked), XDG_CACHE_HOME=str(blocked)) == ["7"]


def test_a_read_only_install_keeps_its_machine_code_in_the_users_folder(house, tmp_path):
    (house / "__pycache__").write_text("")
    home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home" / "cache")}
    assert run(house, HITS, **home) == ["7", "0", "1"]
    assert run(house, HITS, **home) == ["7", "1", "0"]


REMOVED = """
    import os, shutil
    from kernels.outer import answer
    shutil.rmtree(os.environ["NUMBA_CACHE_DIR"])
    print(answer(3))
"""


def test_a_cache_folder_that_is_removed_meanwhile_is_made_again(house, tmp_path):
    cache = str(tmp_path / "cache")
    run(house, NUMBA_CACHE_DIR=cache)
    assert run(house, REMOVED, NUMBA_CACHE_DIR=cache) == ["7"]
    assert run(house, HITS, NUMBA_CACHE_DIR=cache) == ["7", "1", "0"]


def test_processes_that_compile_at_once_do_not_disturb_each_other(house, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    environment.update(PYTHONPATH=str(house.parent), NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    several = [
        subprocess.Popen(
            [sys.executable, "-c", "from kernels.outer import answer; print(answer(3), answer(0.5))"],
            env=environment,
            cwd=house,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    assert [process.communicate(timeout=120)[0].split() for process in several] == [["7", "2.0"]] * 4
    assert run(house, HITS, NUMBA_CACHE_DIR=str(tmp_path / "cache")) == ["7", "1", "0"]


KEPT = """
    from kernels.tools.compiled import is_kept
    from kernels.outer import answer
    print(is_kept(answer), answer(3), is_kept(answer))
"""


def test_it_is_known_whether_machine_code_is_kept(house, tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert run(house, KEPT, **cache) == ["False", "7", "True"]
    assert run(house, KEPT, **cache) == ["True", "7", "True"]
    within = house / "within.py"
    within.write_text(within.read_text() + "\n")
    assert run(house, KEPT, **cache) == ["False", "7", "True"]
    assert run(house, KEPT, NUMBA_DISABLE_JIT="1") == ["True", "7", "True"]


def test_without_compilation_kernels_are_plain_functions(house):
    assert run(house, NUMBA_DISABLE_JIT="1") == ["7"]


def test_the_digest_covers_what_a_module_imports_and_no_more():
    files = [compiled.PACKAGE_FOLDER / f"{name}.py" for name in ("tools/winograd_products", "adam")]
    products, adam = map(compiled.source_digest, files)
    assert products != adam and len(products) == 64
    text = b"from kernels.tools.simd import load\nimport kernels.adam, numpy\nfrom kernels import warp"
    assert {file.stem for file in compiled._imported(text)} == {"simd", "adam", "warp"}
