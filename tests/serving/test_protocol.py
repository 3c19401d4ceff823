"""The generated code is that of the protocol's file."""

from pathlib import Path

from grpc_tools import protoc

SOURCE = Path(__file__).parents[2] / "src"


def test_generated_code_is_up_to_date(tmp_path: Path) -> None:
    proto = SOURCE / "cascade_qec/serving/protocol.proto"
    assert protoc.main(["", f"-I{SOURCE}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", str(proto)]) == 0
    for name in ("protocol_pb2.py", "protocol_pb2.pyi"):
        made = (tmp_path / "cascade_qec/serving" / name).read_text()
        assert (proto.parent / name).read_text() == made, "see docs/serving.md for the command that writes it"
