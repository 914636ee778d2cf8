"""Reading `wiki.gold` as a member of the indexers' group."""

from freshet.contract import topics
from freshet.membership import Member
from freshet.settings import Settings


class GoldTopic(Member):
    """The partitions of `wiki.gold` that are this member's. For one thread."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, settings.indexer_group, [topics.GOLD])
