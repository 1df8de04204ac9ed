"""The calculus of attacks: derivatives, optimality conditions, closed-form attacks, Gibbs averages."""
