"""Kafka topics as a source: every partition of a topic is one, offsets are its positions.

``source`` reads; ``watch`` asks the broker from a thread of its own (which partitions there are,
where their ends are) and holds the membership in the consumer group; ``messages`` turns messages
into records. ``client`` is the only module that configures librdkafka. What a pipeline file says
is in ``tailrace.config.kafka``.
"""
