/**
 * Over how many steps a training's first and last loss are averaged: ten, or half of a short run, so that the two never
 * share a step. Single steps say little, since their batches differ in kind. Mirror of `loss_window` in
 * apps/trainer/src/trainer/plan.py.
 */
export function lossWindow(totalSteps: number): number {
  return Math.max(1, Math.min(10, Math.floor(totalSteps / 2)));
}
