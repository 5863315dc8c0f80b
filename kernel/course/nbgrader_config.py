# What nbgrader needs to know about TypeScript. Copy this file into the folder of your course, beside source/.
c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "tessera"

# The same stub as `tessera release` writes: what students see does not depend on the tool.
c.ClearSolutions.code_stub = {
    "typescript": "// YOUR CODE HERE\nthrow new Error(\"not implemented yet\")",
}
# Delimiters are found anywhere in a line, so `// BEGIN SOLUTION` is one.
c.ClearSolutions.begin_solution_delimeter = "BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "END SOLUTION"
c.ClearHiddenTests.begin_test_delimeter = "BEGIN HIDDEN TESTS"
c.ClearHiddenTests.end_test_delimeter = "END HIDDEN TESTS"

# Keyed by the kernel's name, not its language.
c.InstantiateTests.comment_strs = {"tessera": "//"}
c.InstantiateTests.sanitizers = {"tessera": lambda text: text.strip("'\"")}

# The first cell of a kernel waits for the compiler.
c.Execute.timeout = 60
c.Execute.startup_timeout = 60
# A cell that never ends is interrupted by a message, and the notebook goes on.
c.Execute.interrupt_on_timeout = True

# Cells that nbgrader puts back begin with "# ", which is no comment in TypeScript; `tessera autograde` puts them back whole.
c.OverwriteCells.add_missing_cells = False
