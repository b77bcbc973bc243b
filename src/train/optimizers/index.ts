import { AdafactorRule } from "./adafactor.js";
import { AdamWRule } from "./adamw.js";
import type { AdamWConfig, OptimizerConfig } from "./config.js";
import { LionRule } from "./lion.js";
import type { UpdateRule } from "./rule.js";
import { SgdRule } from "./sgd.js";

/** The arithmetic of the configured optimizer. */
export function updateRule(config: OptimizerConfig): UpdateRule {
  switch (config.kind) {
    case "adafactor":
      return new AdafactorRule(config);
    case "sgd":
      return new SgdRule(config);
    case "lion":
      return new LionRule(config);
    case "adamw":
    case undefined:
      return new AdamWRule(config);
  }
}

/** Whether it is AdamW, for which the native engine has a fused kernel. */
export function isAdamW(config: OptimizerConfig): config is AdamWConfig {
  return config.kind === undefined || config.kind === "adamw";
}
