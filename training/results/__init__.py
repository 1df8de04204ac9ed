"""From records to tables; nothing here imports torch."""
