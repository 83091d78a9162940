import json
from pathlib import Path

from inference.server_command import MAX_LABELS, ServerSettings, command_line, environment


def settings(folder: Path, positions: int) -> ServerSettings:
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": positions}), encoding="utf-8")
    return ServerSettings(folder, "starter", folder)


def value(command: list[str], flag: str) -> str:
    return command[command.index(flag) + 1]


def test_server_gives_exact_probabilities_of_this_base_to_this_user_only(tmp_path: Path) -> None:
    command = command_line(settings(tmp_path, 256), tmp_path / "vllm.sock", cpu=True)
    assert value(command, "--logprobs-mode") == "processed_logprobs"
    assert value(command, "--max-logprobs") == str(MAX_LABELS)
    assert value(command, "--generation-config") == "vllm"
    assert value(command, "--uds") == str(tmp_path / "vllm.sock")
    assert not {"--host", "--port", "--api-server-count"} & set(command)
    assert value(command, "--model") == str(tmp_path)


def test_context_is_the_bases_own_up_to_what_we_use(tmp_path: Path) -> None:
    assert value(command_line(settings(tmp_path, 256), Path("s"), cpu=True), "--max-model-len") == "256"
    assert value(command_line(settings(tmp_path, 131_072), Path("s"), cpu=True), "--max-model-len") == "8192"


def test_gpu_build_gets_nothing_that_is_meant_for_a_cpu(tmp_path: Path) -> None:
    assert "--enforce-eager" in command_line(settings(tmp_path, 256), Path("s"), cpu=True)
    assert "--enforce-eager" not in command_line(settings(tmp_path, 256), Path("s"), cpu=False)
    assert not any("CPU" in name for name in environment(cpu=False))
    assert environment(cpu=False)["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] == "True"
