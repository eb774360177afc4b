"""The base stage: reads the model's files, never its code, and decides whether it may and can be tuned."""

from __future__ import annotations

from dataclasses import dataclass

from truetune.core.config import BaseConfig
from truetune.core.ports import ChatTokenizer, LocalModel, Progress
from truetune.core.records import BaseRecord, Finding
from truetune.evidence.digests import tree_digest
from truetune.evidence.run_folder import RunFolder
from truetune.stages.base.checkpoint import read_checkpoint
from truetune.stages.base.description import describe, read_config
from truetune.stages.base.hashing import hash_folder, tokenizer_files
from truetune.stages.base.licence import check_licence, read_licence
from truetune.stages.base.risks import check_risks
from truetune.stages.base.template import check_template
from truetune.stages.base.vocabulary import check_vocabulary


@dataclass(frozen=True)
class Request:
    """The model as the config names it, and as it lies on this machine."""

    config: BaseConfig
    local: LocalModel


@dataclass(frozen=True)
class Ports:
    """The model's own tokenizer, and who hears how far hashing has come."""

    tokenizer: ChatTokenizer
    progress: Progress


def run(request: Request, ports: Ports, evidence: RunFolder) -> BaseRecord:
    """Decide on the base model. The weights stay where they are: the record holds their digests, not a copy.

    Raises:
        UsageError: the folder is not a model that can be tuned (no config, no weights, only pickled weights).
        EvidenceError: a weights file is damaged.
    """
    folder = request.local.directory
    config = read_config(folder)
    checkpoint = read_checkpoint(folder)
    description = describe(config, checkpoint)
    licence = read_licence(request.config, request.local)
    template_findings = check_template(ports.tokenizer)
    findings: tuple[Finding, ...] = (
        *check_licence(licence, request.config),
        *template_findings,
        *check_vocabulary(ports.tokenizer, description.embedding_rows),
        *check_risks(config, checkpoint),
    )
    weights = hash_folder(folder, ports.progress)
    return BaseRecord(
        gate="failed" if any(f.severity == "block" for f in findings) else "passed",
        findings=findings,
        model=request.local.spec,
        revision=request.local.revision,
        weights=weights,
        parameters=description.parameters,
        vocabulary_size=description.embedding_rows,
        context_length_tokens=description.context_length_tokens,
        architecture=description.architecture,
        template_digest=ports.tokenizer.template_digest,
        tokenizer_digest=tree_digest(tokenizer_files(weights)),
        licence=licence,
        intended_use=request.config.intended_use,
        known_risks=(*request.local.risks, *description.risks, *(f.message for f in findings if f.severity != "block")),
        shape=description.shape,
    )
