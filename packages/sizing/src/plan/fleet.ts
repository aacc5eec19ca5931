export type FleetRequest = {
  /** Replicas that carry the planned load within its limits. */
  neededReplicas: number;
  gpusPerReplica: number;
  gpusPerNode: number;
  production: boolean;
  /** Nodes that there are; null where any number can be had. */
  nodesAvailable: number | null;
};

export type Fleet = {
  replicas: number;
  /** Above what the planned load needs: what remains after the loss of a node still carries it. */
  spareReplicas: number;
  nodes: number;
  replicasPerNode: number;
  /** Of one replica that is larger than a node. */
  nodesPerReplica: number;
  gpus: number;
  /** Replicas that are left when the fullest node is lost. */
  replicasAfterNodeLoss: number;
};

/** A server with its processors, memory and network costs about a quarter of one of its GPUs; used only to choose among layouts. */
const nodeInGpus = 0.25;

/**
 * Spreads replicas over nodes. In production the load survives the loss of any one node, so there are two at least; a trial
 * takes as few as it can. Of the layouts the one with the fewest GPUs and nodes is chosen. Null where there are too few nodes.
 */
export function planFleet(request: FleetRequest): Fleet | null {
  const { neededReplicas: needed, gpusPerReplica, gpusPerNode, production, nodesAvailable } = request;
  const most = nodesAvailable ?? Infinity;
  const nodesPerReplica = Math.ceil(gpusPerReplica / gpusPerNode);
  if (nodesPerReplica > 1) {
    const replicas = needed + (production ? 1 : 0);
    const nodes = replicas * nodesPerReplica;
    if (nodes > most) return null;
    const spareReplicas = replicas - needed;
    return {
      replicas,
      spareReplicas,
      nodes,
      replicasPerNode: 1,
      nodesPerReplica,
      gpus: replicas * gpusPerReplica,
      replicasAfterNodeLoss: replicas - 1,
    };
  }
  const layouts = Array.from({ length: Math.floor(gpusPerNode / gpusPerReplica) }, (_, index) => index + 1)
    .map((replicasPerNode) => layOut(request, replicasPerNode))
    .filter(({ nodes }) => nodes <= most);
  return layouts.sort((left, right) => weigh(left) - weigh(right))[0] ?? null;
}

function layOut({ neededReplicas, gpusPerReplica, production }: FleetRequest, most: number): Fleet {
  const replicas = neededReplicas + (production ? most : 0);
  const nodes = Math.ceil(replicas / most);
  const replicasPerNode = Math.ceil(replicas / nodes);
  return {
    replicas,
    spareReplicas: replicas - neededReplicas,
    nodes,
    replicasPerNode,
    nodesPerReplica: 1,
    gpus: replicas * gpusPerReplica,
    replicasAfterNodeLoss: replicas - replicasPerNode,
  };
}

function weigh({ gpus, nodes }: Fleet): number {
  return gpus + nodes * nodeInGpus;
}
