"""How often one socket may do something."""

from blazz_notifier.token_bucket import TokenBucket


def test_a_burst_is_taken_and_then_the_rate():
    bucket = TokenBucket(rate=10, burst=3, tokens=3, at=0.0)
    assert [bucket.take(0.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(0.0) == 0.1
    assert bucket.take(0.1) == 0
    assert bucket.take(0.1) > 0


def test_a_long_silence_gives_no_more_than_a_burst():
    bucket = TokenBucket(rate=10, burst=3, tokens=0, at=0.0)
    assert [bucket.take(100.0) == 0 for _ in range(4)] == [True, True, True, False]
