"""What a teacher runs for a class: `python -m helpers.teacher.handout`, `python -m helpers.teacher.student_copy`."""
