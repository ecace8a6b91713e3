"""All mutants, stage after stage; then those of the windowed forms and of the kernels, which may survive."""

from tests.mutants.kernels import KERNELS
from tests.mutants.statistics import STATISTICS
from tests.mutants.super_resolution import SUPER_RESOLUTION
from tests.mutants.surfaces import SURFACES
from tests.mutants.training import TRAINING
from tests.mutants.windows import WINDOWS

KILLED = {mutant.id: mutant for mutant in (*STATISTICS, *SURFACES, *SUPER_RESOLUTION, *TRAINING)}
"""Each of these is killed."""
NEW = {mutant.id: mutant for mutant in (*WINDOWS, *KERNELS)}
"""Of these some survive: no case is large enough, or runs on the fast path."""
MUTANTS = KILLED | NEW
