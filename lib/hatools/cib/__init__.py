"""The CIB as data: document, operations, patches, schemas, rules, digests. Pure."""
