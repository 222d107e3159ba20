"""Draw the report's figures."""

from hw2.figures import report
from hw2.pipeline import runner


def main(job: runner.Job) -> None:
    report.run(
        job.params.figures,
        samples=job.paths.samples,
        sweep=job.paths.sweep,
        guidance=job.paths.guidance,
        history=job.paths.ddpm_history,
        metrics=job.paths.ddpm_metrics,
        judge_metrics=job.paths.judge_metrics,
        ablation_metrics=job.paths.ablation_metrics,
        dann_metrics=job.paths.dann_metrics,
        dann_history=job.paths.dann_history,
        dann_tsne=job.paths.dann_tsne,
        faces_samples=job.paths.faces_samples,
        faces_interpolation=job.paths.faces_interpolation,
        faces_history=job.paths.faces_history,
        faces_metrics=job.paths.faces_metrics,
        clip_metrics=job.paths.clip_metrics,
        clip_predictions=job.paths.clip_predictions,
        clip_classes=job.paths.clip_classes,
        clip_examples=job.paths.clip_examples,
        inversion_metrics=job.paths.inversion_metrics,
        inversion_history=job.paths.inversion_history,
        inversion_looks=job.paths.inversion_looks,
        inversion_samples=job.paths.inversion_samples,
        several_images=job.paths.several_images,
        figures=job.paths.figures,
    )


if __name__ == "__main__":
    runner.run(main)
