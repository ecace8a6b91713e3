"""All mutants, stage after stage."""

from tests.mutants.statistics import STATISTICS
from tests.mutants.super_resolution import SUPER_RESOLUTION
from tests.mutants.surfaces import SURFACES
from tests.mutants.training import TRAINING

MUTANTS = {mutant.id: mutant for mutant in (*STATISTICS, *SURFACES, *SUPER_RESOLUTION, *TRAINING)}
