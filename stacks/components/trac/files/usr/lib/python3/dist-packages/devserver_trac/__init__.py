"""What Trac knows of the appliance around it: who may what, where the project's other parts are, how builds ended."""
