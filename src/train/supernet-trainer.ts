/**
 * Trains and scores the supernet for a search. One compiled training step and one compiled validation loss serve every
 * strategy: what runs is decided by the gates it is fed. The state is plain data and can be taken and put back.
 */
import type { Engine } from "../engine/index.ts";
import type { Rng } from "../rng.ts";
import { fillRates, initialise, type Network } from "../space/index.ts";
import { gatherInto, takeRows, type TrainingData, withCoefficients } from "./data.ts";
import { adamStepGraph, coefficientsLearned, lossGraph } from "./graphs.ts";
import type { LossName } from "./loss.ts";
import { feedsOf } from "./objective.ts";
import { adamRate } from "./optimisers/index.ts";

/** Everything that training has changed. */
export interface SupernetState {
  readonly params: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Adam steps taken. */
  readonly steps: number;
  /** Of these, how many each parameter of the layout took part in. */
  readonly touches: Int32Array;
}

export interface SupernetTrainer {
  readonly network: Network;
  /** Rows of one training step, and rows of one validation. */
  readonly batch: number;
  readonly validationRows: number;
  /** Steps that see every training row about once. */
  readonly stepsPerEpoch: number;
  /** One weight step per gate vector, in order. @returns the mean training loss */
  train(gates: readonly Float32Array[], learningRate: number): Promise<number>;
  /** Loss on the validation rows, without touching the weights. */
  validate(gates: Float32Array): Promise<number>;
  state(): SupernetState;
  restore(state: SupernetState): void;
  dispose(): Promise<void>;
}

export interface SupernetOptions {
  readonly engine: Engine;
  readonly network: Network;
  readonly data: TrainingData;
  readonly trainRows: Int32Array;
  readonly validationRows: Int32Array;
  readonly batch: number;
  readonly loss: Exclude<LossName, "gaussian">;
  readonly rng: Rng;
}

export async function supernetTrainer(options: SupernetOptions): Promise<SupernetTrainer> {
  const { engine, network, loss, rng } = options;
  const data = withCoefficients(options.data, coefficientsLearned(network, loss));
  const training = takeRows(data, options.trainRows);
  const validation = takeRows(data, options.validationRows);
  const batch = Math.min(options.batch, training.rows);
  const stepsPerEpoch = Math.max(1, Math.floor(training.rows / batch));
  const stepper = await engine.compile(adamStepGraph(network, { loss, rows: batch, sparse: true }));
  const scorer = await engine.compile(lossGraph(network, { loss, rows: validation.rows }));
  const buffers = takeRows(
    training,
    Int32Array.from({ length: batch }, (_, i) => i),
  );
  const gateBuffer = new Float32Array(network.gateCount);
  const validationFeeds = feedsOf(validation);
  const size = network.layout.size;
  let params: Float32Array = initialise(network.layout, rng.fork("weights"));
  let first: Float32Array = new Float32Array(size);
  let second: Float32Array = new Float32Array(size);
  let steps = 0;
  let touches = new Int32Array(network.layout.parameters.length);
  const rate = new Float32Array(size);
  /** Where each slot's gates begin. */
  const starts: number[] = [];
  network.space.slots.reduce((at, { candidates }) => {
    starts.push(at);
    return at + candidates.length;
  }, 0);

  /** Moments of a candidate that is drawn now and then start when it is first drawn, so the bias correction counts its
   * own steps: with the count of all steps its updates would be up to six times too long. */
  const setRates = (learningRate: number): void => {
    network.layout.parameters.forEach((parameter, i) => {
      const { owner } = parameter;
      if (owner !== undefined && gateBuffer[starts[owner.slot]! + owner.candidate] === 0) return;
      fillRates(rate, parameter, adamRate(learningRate, touches[i]!++));
    });
  };

  /** The rows of step t depend on t and the seed alone, so a restored state sees the batches it would have seen. */
  let shuffledEpoch = -1;
  const order = new Int32Array(training.rows);
  const rowsOf = (t: number): Int32Array => {
    const epoch = Math.floor(t / stepsPerEpoch);
    if (epoch !== shuffledEpoch) {
      for (let i = 0; i < order.length; i++) order[i] = i;
      rng.fork(`batches ${epoch}`).shuffle(order);
      shuffledEpoch = epoch;
    }
    const start = (t % stepsPerEpoch) * batch;
    return order.subarray(start, start + batch);
  };

  return {
    network,
    batch,
    validationRows: validation.rows,
    stepsPerEpoch,
    async train(gates, learningRate) {
      if (gates.length === 0) return 0;
      let sum = 0;
      const results = await stepper.loop({
        feeds: { ...feedsOf(buffers), params, first, second, rate, gates: gateBuffer },
        carry: { nextParams: "params", nextFirst: "first", nextSecond: "second" },
        steps: gates.length,
        perStep: (i) => {
          gateBuffer.set(gates[i]!);
          setRates(learningRate);
          const rows = rowsOf(steps + i);
          gatherInto(buffers.x, training.x, rows, training.inputs);
          buffers.targets.forEach((target, h) => {
            gatherInto(target, training.targets[h]!, rows, target.length / batch);
          });
        },
        watch: (_, { loss: value }) => {
          sum += (value as Float64Array)[0]!;
          return true;
        },
      });
      params = Float32Array.from(results.nextParams as Float32Array);
      first = Float32Array.from(results.nextFirst as Float32Array);
      second = Float32Array.from(results.nextSecond as Float32Array);
      steps += gates.length;
      return sum / gates.length;
    },
    async validate(gates) {
      const { loss: value } = await scorer.run({ ...validationFeeds, params, gates });
      return (value as Float64Array)[0] ?? Number.NaN;
    },
    state: () => ({
      params: params.slice(),
      first: first.slice(),
      second: second.slice(),
      steps,
      touches: touches.slice(),
    }),
    restore(state) {
      params = state.params.slice();
      first = state.first.slice();
      second = state.second.slice();
      steps = state.steps;
      touches = state.touches.slice();
    },
    async dispose() {
      await stepper.dispose();
      await scorer.dispose();
    },
  };
}
