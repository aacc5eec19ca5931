/** One accelerator, by its data sheet. FLOP/s are dense (no structured sparsity); what it cannot compute is null. */
export type Gpu = {
  /** Catalogue id, e.g. "H100-80GB". */
  id: string;
  name: string;
  vendor: "nvidia" | "amd";
  /** What an engine sees of the memory, in GiB (less than the label says: ECC and firmware take their part). */
  memoryGib: number;
  /** Peak memory bandwidth in bytes/s. */
  bandwidth: number;
  /** Peak dense FLOP/s by the format of the operands; null where there is no such unit (engines then compute in 16 bits). */
  flops: { bf16: number; fp8: number | null; int8: number | null; fp4: number | null };
  /** To the other GPUs of its node, bytes/s in one direction. */
  link: {
    kind: "nvlink" | "pcie" | "infinity-fabric";
    bandwidth: number;
    /** GPUs of one such domain. */ domain: number;
  };
  /** Board power in watts. */
  powerW: number;
  /** Of one full node as it is usually sold. */
  gpusPerNode: number;
  /** Empty where the GPU cannot be partitioned. */
  migProfiles: readonly { name: string; memoryGib: number; computeShare: number; perGpu: number }[];
  /** What an hour costs to rent, in US dollars: a default to be overwritten, with the day it was looked up. */
  pricePerHour: number;
  /** Where these figures come from. */
  source?: string;
  architecture: "ada" | "ampere" | "hopper" | "blackwell" | "cdna3" | "cdna4";
};
