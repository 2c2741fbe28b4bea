# SPDX-License-Identifier: Apache-2.0
"""What is measured."""

from .alternation import Alternation
from .bulk import Bulk
from .idle import Idle
from .packets import Packets
from .questions import Questions
from .round_trip import RoundTrip
from .share import Share
from .stream import Stream
from .transfer import Transfer

__all__ = ["Alternation", "Bulk", "Idle", "Packets", "Questions", "RoundTrip", "Share", "Stream", "Transfer"]
