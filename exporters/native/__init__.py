"""The native backend: a kernel in C, generated from the equations of a document, for populations of candidates.

How it is put together
    `mechanism`, `staggered`, `tabled`, `point` (with `inverses`) print the equations as loop bodies; `source`
    puts them into the templates; `build` compiles the text, once per structure, compiler and processor; `layout` and
    `bind` turn tree, areas, resistances and values into arrays; `stimuli` does so with protocols; `simulate` calls the
    kernel once for a whole batch, without the interpreter's lock, on as many threads as asked for.

What is code and what is data
    Equations are code. Tree, areas, resistances, places, parameters, stimuli, events and recordings are data: one
    kernel serves all candidates, all protocols and all morphologies with the same mechanisms.

Steps
    fixed: the very steps of the NEURON backend's `cnexp` (implicit Euler, gates by their exponential), so that traces
    agree with NEURON to rounding. Up to 30 compartments eight candidates go side by side in one loop.
    adaptive (default): v at whole and states at half steps (Hines 1984), both along the slopes of what drives them,
    which keeps gates that are faster than the step at second order; steps of dt times a power of two, chosen by the
    largest second difference of v over all membrane; stimulus edges, events and switches are hit exactly. Rates that
    rest on v alone are looked up in tables with a row per 0.05 to 0.25 mV, one table per length of step, which all
    candidates share unless a slot is in a rate (`tables`); where a step changes its length, two tables of half lengths
    follow each other. Outside -150 to 100 mV and in steps cut short by an edge rates are computed.
    Where v turns in six steps one after the other it rings, as second order does at stiff places (candidates at
    depolarisation block): the next six steps are damped (theta 0.7). That halves the steps of random candidates.
    Lanes are chains of compartments (`schedule`, `chains`): rows of eight nodes are eliminated together, what a node
    leaves for its parent stays in its lane where it can; mechanisms come in blocks of eight instances on a row, so that
    nothing is gathered or scattered. Cells of up to 30 compartments, and trees that fill less than half of the lanes,
    go node by node.
    Point cells take the fixed steps of the NEURON backend, 32 candidates side by side; a candidate in which something
    happens takes that step by itself, halving it until the moment is found. Where who reads the traces looks at whole
    multiples of some time only (`Experiment.sampling_ms`, eFEL's grid in a fit), point cells record only there.
    `accuracy` holds the numbers behind fast, default and tight; dt scales all of them.

Without a compiler
    The generic kernel: the same templates without any mechanism in them (`generic_sources`), compiled ahead
    (`prebuild`) and found in the package (`prebuilt`). It interprets byte code that `bytecode` makes of the very loop
    bodies that a compiled kernel has; `generic_cable` and `generic_point` hand over bodies, bundles and what else is
    text elsewhere. An order goes over 32 instances at once, so that finding out what to do costs little beside doing
    it: the layer 5 cell takes half as long again as in a compiled kernel, cells of few compartments three to four times
    as long. All numbers are the same to the bit. `library` chooses between the two.

What is done once
    Protocols that begin alike (the same start, temperature, recordings and currents up to a stop of both:
    `settling`) are run once until they part; the others go on from there in the memory and with the tables of the
    first. Steps depend on nothing but what lies behind and the next stop, so every bit is that of a run by itself.
    Amplitudes that candidates have of their own (`experiment.amplitudes`) are bound like slots.

The same numbers everywhere
    Every operation is one that IEEE 754 defines, none is contracted or reordered by the compiler (fused multiply-adds
    are written where they are meant), exp, log and pow are the kernel's own. So results
    do not depend on the batch, its order, threads or vector width, and a slot gives the bits of an edited document.
    Only trigonometric functions come from the system's library. A processor without fused multiply-add rounds twice.

What is not there yet
    - Rows are swept once per mechanism: to do all of a few rows at once (look-up, currents, elimination) would keep
      their numbers in the first cache and hide the latency of the divisions.
    - Fixed steps of large cells go node by node. A long unbranched cable fills no lanes.
    - Tables of candidates with slots in rates are made for each of their protocols that begins by itself.
    - Recorded states between far adaptive samples are as coarse as the samples; v is what steps are chosen by.
"""
