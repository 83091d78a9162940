"""The environment variables of Switchboard besides the platforms' own, as described in docs/settings.md."""

from collections.abc import Mapping

VARIABLES: Mapping[str, str] = {
    "SWITCHBOARD_CONFIG": "the settings file; without it ./switchboard.toml, and `--config` overrides it",
    "SWITCHBOARD_WORKSPACE": "the workspace that a command is about, instead of `--workspace`",
    "SWITCHBOARD_LOG": "from which level on is logged: DEBUG, INFO, WARNING (usual), ERROR, CRITICAL",
    "SWITCHBOARD_LOG_FORMAT": "text (usual), or json for one object a line",
    "SWITCHBOARD_PROBE_TOKEN": "what `/readyz` and `/metrics` want to see (`Authorization: Bearer …`); else nothing",
    "DATABASE_URL": "the database, instead of database.url",
    "SWITCHBOARD_ADAPTER_TOKEN": "what a model server that fetches adapters (model.server_adapters) has to show",
    "SWITCHBOARD_ADAPTERS_URL": "on such a model server: the addresses of bots, with spaces between them",
    "SWITCHBOARD_ADAPTERS_KEPT": "on such a model server: the folder in which it keeps what it fetched",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "where traces are sent, http://…:4318; without it nothing is traced",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "the same with its whole path, /v1/traces included",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf (usual) and no other",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "the same",
    "OTEL_TRACES_EXPORTER": "none: nothing is traced, whatever else is set; or otlp",
    "OTEL_SDK_DISABLED": "true: the same",
    "OTEL_EXPORTER_OTLP_HEADERS": "what the collector wants to be shown: name=value, several with commas between them",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "the same, instead of it",
    "MODEL_API_KEY": "what a model server of yours (model.server) wants to be shown",
}
"""Variable -> what it is, in a few words."""

SECRETS_APART: frozenset[str] = frozenset({"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"})
"""Variables that may be files as well, and that are read where no settings are."""
